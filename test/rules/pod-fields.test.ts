import assert from 'node:assert/strict';
import { KUBERNETES_FIELDS } from '../../analysis/manifests/kubernetes-schema.ts';
import { RULES } from '../../operator/rules/index.ts';
import { LEVELS, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { POD_FIELDS, WHOLE } from '../../operator/standards/pod-fields.ts';
import { overridesIn } from '../support/examples.ts';

const { types } = KUBERNETES_FIELDS;
const CONTAINERS = ['initContainers', 'containers', 'ephemeralContainers'];

describe('the fields of a pod', () => {
  it('for each field of a pod, a rule reads the field, or a reason says why no rule reads the field', () => {
    const reached = reachable('PodSpec');
    assert.deepEqual(Object.keys(POD_FIELDS).sort(), reached.filter((type) => !WHOLE.includes(type)).sort());
    assert.deepEqual(
      WHOLE.filter((type) => !reached.includes(type)),
      [],
    );
    for (const type of Object.keys(POD_FIELDS)) {
      const decided = Object.keys(POD_FIELDS[type] ?? {}).flatMap((reason) => fields(type, reason as 'rule'));
      assert.deepEqual(decided.sort(), Object.keys(types[type] ?? {}).sort(), `decide each field of ${type} once`);
    }
  });

  it('the fields that rules read are exactly the fields in the table', () => {
    const reads = (part: 'spec' | 'container') => [...new Set(RULES.flatMap(({ reads }) => reads[part] ?? []))];
    assert.deepEqual(fields('PodSpec', 'rule').sort(), [...reads('spec'), ...CONTAINERS].sort());
    assert.deepEqual(fields('Container', 'rule').sort(), [...reads('container'), 'name'].sort());
    const words = new Set(textsOfRules().flatMap((text) => text.match(/\w+/g) ?? []));
    // The rule `volumes` checks volumes without naming all fields of a volume, so the test leaves out the type Volume.
    for (const type of Object.keys(POD_FIELDS).filter((one) => one !== 'Volume')) {
      for (const field of fields(type, 'rule')) assert.ok(words.has(field), `no rule reads ${type}.${field}`);
    }
  });

  it('the fields of a volume are the types of volumes that the override volumes may list', () => {
    const volumes = RULES.find(({ id }) => id === 'volumes');
    const standard = { level: 'baseline', minor: NEWEST_KNOWN_MINOR, server: NEWEST_KNOWN_MINOR } as const;
    const { own } = volumes?.fit(standard) ?? {};
    assert.deepEqual([...(own ?? []), 'hostPath', 'name'].sort(), Object.keys(types.Volume ?? {}).sort());
  });
});

function fields(type: string, reason: keyof (typeof POD_FIELDS)[string]): string[] {
  return POD_FIELDS[type]?.[reason]?.split(' ') ?? [];
}

/**
 * The given type, and all types that occur directly or indirectly in the fields of the given type. The function does
 * not search the fields of the types in the list WHOLE.
 */
function reachable(type: string, found: string[] = []): string[] {
  const name = type.replace(/^[[{]+/, '');
  if (!types[name] || found.includes(name)) return found;
  found.push(name);
  if (!WHOLE.includes(name)) for (const below of Object.values(types[name])) reachable(below, found);
  return found;
}

function textsOfRules(): string[] {
  return RULES.flatMap((rule) =>
    LEVELS.flatMap((level) => {
      const standard = { level, minor: NEWEST_KNOWN_MINOR, server: NEWEST_KNOWN_MINOR };
      return [{}, ...overridesIn(rule)].flatMap((overrides) => {
        const value = rule.value(overrides, standard);
        return [
          ...rule
            .checks(value, standard)
            .flatMap(({ violates, reaches = '', message }) => [violates, reaches, message]),
          ...rule.fills(value, standard).map(({ when }) => when),
        ];
      });
    }),
  );
}
