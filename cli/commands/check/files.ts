/** check -f: judges manifests by the policies among them, those of --policy, and those of a cluster. */
import type { Io } from '../../command.ts';
import { openInputs } from '../../input/inputs.ts';
import { type InputObject, manifestsOf, troubleOf } from '../../input/manifests.ts';
import type { Trouble } from '../../input/trouble.ts';
import type { PolicyContext } from '../../policies/context.ts';
import type { PolicyContextBuilder } from '../../policies/context-builder.ts';
import { addContext } from '../../policies/given.ts';
import { type Judged, ManifestJudge } from './judge.ts';
import type { CheckedItem, NotJudged } from './result.ts';

/** Receives results as they are found. */
export interface Listener {
  /** Before all items. */
  begin(context: PolicyContext): void;
  item(item: CheckedItem): void;
  /** An object that makes no pods. */
  skipped(): void;
  /** An object that may make pods, but in which no pod was judged. */
  notJudged(object: Pick<NotJudged, 'kind' | 'makesPods'>): void;
  /** A document in a folder that is not a Kubernetes object. */
  notKubernetes(what: string): void;
  trouble(trouble: Trouble): void;
}

/**
 * Reads the files twice: the policies may come after the manifests that they judge.
 *
 * @param build called when the builder has everything @param namespace of objects that state none
 */
export async function checkFiles(
  paths: readonly string[],
  io: Io,
  listener: Listener,
  { builder, build, namespace }: { builder: PolicyContextBuilder; build: () => PolicyContext; namespace: string },
): Promise<void> {
  const { trouble } = listener;
  let found = false;
  const tell = (one: Trouble) => {
    found = true;
    trouble(one);
  };
  const inputs = await openInputs(paths, io, tell);
  try {
    await addContext(builder, inputs.files, io, trouble);
    const context = build();
    listener.begin(context);
    const judge = new ManifestJudge({ context, namespace });
    const skip = (what: string) => listener.notKubernetes(what);
    for await (const manifest of manifestsOf(inputs.files, io, { tell, skip })) {
      found = true;
      report(manifest, judge.judge(manifest), listener);
    }
    // A check that judges nothing must not look like a success.
    if (!found) trouble({ file: paths.join(', '), message: 'no Kubernetes object in it' });
  } finally {
    inputs.close();
  }
}

function report(
  manifest: InputObject,
  { items, problems, warnings, skipped, notJudged }: Judged,
  listener: Omit<Listener, 'begin'>,
): void {
  for (const problem of problems) listener.trouble(troubleOf(manifest, problem));
  for (const problem of warnings) listener.trouble({ ...troubleOf(manifest, problem), severity: 'warning' });
  for (const item of items) listener.item(item);
  if (skipped) listener.skipped();
  if (notJudged) listener.notJudged(notJudged);
}
