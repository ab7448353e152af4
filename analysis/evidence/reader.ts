/** Reads evidence from the JSON values of a file. The values may be from any of the supported tools. */
import { objectOf } from '../../operator/model/raw.ts';
import { RecordError } from './fields.ts';
import { GadgetWatches, gadgetEvent, isGadgetEvent, isGadgetMessage } from './inspektor-gadget.ts';
import { isProfile, profileEvidence } from './kubescape.ts';
import { EvidenceSum } from './merge.ts';
import { isObservedLine, observedUse, observedWatch } from './observed.ts';
import type { Evidence } from './use.ts';

const FORMATS =
  "not evidence: name files with lines of Inspektor Gadget's trace_capabilities, lines of `cappol observe`, or profiles of Kubescape";

export class EvidenceReader {
  readonly #sum = new EvidenceSum();
  readonly #watches = new GadgetWatches();
  #outside = 0;

  /** Adds the evidence that the value contains. @throws RecordError for a value that is not evidence */
  add(value: unknown): void {
    if (Array.isArray(value)) for (const one of value) this.add(one);
    else this.#add(objectOf(value));
  }

  /** The number of checks by processes that belong to no pod. */
  get outside(): number {
    return this.#outside;
  }

  get evidence(): Evidence {
    const { uses, watches } = this.#sum.total;
    return { uses, watches: [...watches, ...this.#watches.all] };
  }

  #add(value: Readonly<Record<string, unknown>>): void {
    if (isObservedLine(value)) this.#addObserved(value);
    else if (isGadgetEvent(value)) this.#addEvent(value);
    else if (isProfile(value)) this.#sum.add(profileEvidence(value));
    else if (Array.isArray(value.items)) this.add(value.items);
    else if (!isGadgetMessage(value)) throw new RecordError(FORMATS);
  }

  #addObserved(value: Readonly<Record<string, unknown>>): void {
    if (value.observed === 'use') this.#sum.addUse(observedUse(value));
    else if (value.observed === 'watch') this.#sum.addWatch(observedWatch(value));
    else throw new RecordError(`unknown record ${JSON.stringify(value.observed)}: use, watch`);
  }

  #addEvent(value: Readonly<Record<string, unknown>>): void {
    const event = gadgetEvent(value);
    if (!event) {
      this.#outside += 1;
      return;
    }
    this.#sum.addUse(event.use);
    this.#watches.add(event);
  }
}
