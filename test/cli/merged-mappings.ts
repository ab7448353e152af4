/** Makes random YAML mappings with anchors and merge keys in any order, in block style and flow style. */
import { Random } from '../support/random.ts';

const KEYS = ['a', 'b', 'c', 'd', 'e'];

/** Makes random mappings. @returns texts in block style, each with field names that occur in no other text */
export function mergedMappings(count: number, random = new Random()): string[] {
  return Array.from({ length: count }, () => mappingText(random));
}

function mappingText(random: Random): string {
  const names = Array.from({ length: 1 + random.int(4) }, (_, index) => `m${index}`);
  const fields = names.map((name, index) => field(name, names.slice(0, index), random));
  return fields.join('\n');
}

function field(name: string, known: readonly string[], random: Random): string {
  const entries = entriesOf(known, random);
  if (random.int(2) === 0) return `${name}: &${name} {${entries.join(', ')}}`;
  return `${name}: &${name}\n${entries.map((entry) => `  ${entry}`).join('\n')}`;
}

/** Random entries of a mapping. Each key occurs at most once, except for the merge key. */
function entriesOf(known: readonly string[], random: Random): string[] {
  const merges = Array.from({ length: random.int(3) }, () => `<<: ${merged(known, random)}`);
  const own = KEYS.filter(() => random.int(2) === 0).map((key) => `${key}: ${valueText(random)}`);
  const all = [...merges, ...own];
  for (let at = all.length - 1; at > 0; at -= 1) {
    const other = random.int(at + 1);
    [all[at], all[other]] = [all[other] as string, all[at] as string];
  }
  return all.length > 0 ? all : ['a: 0'];
}

function merged(known: readonly string[], random: Random): string {
  if (random.int(3) > 0) return source(known, random);
  return `[${Array.from({ length: random.int(4) }, () => source(known, random)).join(', ')}]`;
}

function source(known: readonly string[], random: Random): string {
  const name = known[random.int(known.length + 1)];
  if (name !== undefined) return `*${name}`;
  const own = KEYS.filter(() => random.int(2) === 0).map((key) => `${key}: ${valueText(random)}`);
  return `{${own.join(', ')}}`;
}

function valueText(random: Random): string {
  const values = [String(random.int(100)), 'true', '~', '[1, 2]', `{x: ${random.int(9)}}`, '"<<"', '<<'];
  return values[random.int(values.length)] ?? '0';
}
