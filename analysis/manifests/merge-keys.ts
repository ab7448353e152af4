/**
 * Reads merge keys (`<<: *defaults`) as kubectl reads them. In go.yaml.in/yaml/v2 (decode.go, mapping and merge), a
 * merge overrides the fields above the merge key. Fields below the merge key override the merge. js-yaml follows YAML
 * 1.1: the mapping's own fields always override a merge.
 */
import {
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  mapTag,
  NOT_RESOLVED,
  type Schema,
  seqTag,
} from 'js-yaml';
import { isObject } from '../schema/problems.ts';

type Mapping = Record<string, unknown>;

const WORD = '<<';
/** The value of a plain `<<`. A plain `<<` is a merge key. A quoted `"<<"` is an ordinary key. */
const MERGE_KEY = Symbol(WORD);
/**
 * The maximum number of fields that a document may merge. Without a limit, a small document could merge a large mapping
 * many times.
 */
const MOST_MERGED = 1_000_000;

/** Whether the document may contain merge keys. */
export function mayMerge(text: string): boolean {
  return text.includes(WORD);
}

/** @returns a schema for one document. The schema counts the fields that the document merges */
export function withMergeKeys(schema: Schema): Schema {
  const merging = new Merging();
  const mergeKey = defineScalarTag('tag:capabilitypolicy.dev,2026:merge-key', {
    implicit: true,
    implicitFirstChars: ['<'],
    resolve: (source): unknown => (source === WORD ? MERGE_KEY : NOT_RESOLVED),
    identify: () => false,
  });
  const mapping = defineMappingTag<Mapping>(mapTag.tagName, {
    ...mapTag,
    finalize: undefined,
    addPair: (fields, key, value) => merging.addPair(fields, key, value),
    has: (fields, key) => merging.isStated(fields, key),
  });
  const sequence = defineSequenceTag<unknown[]>(seqTag.tagName, {
    ...seqTag,
    finalize: undefined,
    addItem: (list, item) => void list.push(plain(item)),
  });
  return schema.withTags(mergeKey, mapping, sequence);
}

/** The value of a scalar. A `<<` that is not a key is an ordinary string. */
function plain(value: unknown): unknown {
  return value === MERGE_KEY ? WORD : value;
}

class Merging {
  /**
   * The keys of each mapping that come from a merge. A mapping may repeat a merged key. If a mapping repeats a merged
   * key, the repeated key overrides the merged key.
   */
  readonly #merged = new WeakMap<Mapping, Set<string>>();
  #count = 0;

  /** Adds a field or a merge to a mapping. @returns an error message, or an empty string */
  addPair(fields: Mapping, key: unknown, value: unknown): string {
    if (key === MERGE_KEY) return this.#merge(fields, value);
    this.#merged.get(fields)?.delete(String(key));
    return mapTag.addPair(fields, key, plain(value));
  }

  /**
   * Whether the mapping itself already has the given key. If the mapping itself already has the key, a second field
   * with this key is a mistake.
   */
  isStated(fields: Mapping, key: unknown): boolean {
    return key !== MERGE_KEY && mapTag.has(fields, key) && !this.#merged.get(fields)?.has(String(key));
  }

  #merge(fields: Mapping, value: unknown): string {
    // If a merge names several mappings, a field of an earlier mapping overrides the same field of a later mapping.
    const sources = Array.isArray(value) ? value.toReversed() : [value];
    for (const source of sources) {
      if (!isObject(source)) return 'a merge key (<<) needs a mapping, or a list of mappings';
      if (source === fields) return 'a merge key (<<) refers to the mapping that contains the merge key';
      const keys = Object.keys(source);
      this.#count += keys.length;
      if (this.#count > MOST_MERGED) return 'merge keys make the document too large: write fewer merge keys';
      const merged = this.#merged.get(fields) ?? new Set();
      this.#merged.set(fields, merged);
      for (const key of keys) {
        merged.add(key);
        mapTag.addPair(fields, key, source[key]);
      }
    }
    return '';
  }
}
