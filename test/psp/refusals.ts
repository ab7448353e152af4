/** Whether the migration refuses what the API server with PodSecurityPolicy refuses, for the same reasons. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { InvalidInput, migrate } from '../../analysis/migrate/migrate.ts';
import { type FieldPath, pathText } from '../../analysis/schema/paths.ts';
import { psp as shortest } from '../migrate/objects.ts';
import { ANNOTATIONS, REFUSED } from '../migrate/refused-rows.ts';
import type { PodSecurityPolicy } from './objects.ts';
import { odd } from './odd-policies.ts';
import type { OldCluster } from './old-cluster.ts';
import { mildPolicy } from './policies-arbitrary.ts';

interface Refusals {
  readonly policies: number;
  /** By both. */
  readonly refused: number;
  /** In words. */
  readonly differences: readonly string[];
}

/** The rows of the unit tests, and this many random policies with an oddity. */
export async function compareRefusals(old: OldCluster, count: number, seed: number): Promise<Refusals> {
  const rows = [
    ...Object.values(REFUSED).map(([spec]) => shortest(spec)),
    ...Object.values(ANNOTATIONS).map(([annotations]) => shortest({}, annotations)),
  ];
  const random = fc.sample(odd(mildPolicy('odd')), { seed, numRuns: count });
  let refused = 0;
  const differences: string[] = [];
  const policies = [...(rows as unknown as PodSecurityPolicy[]), ...random];
  for (const policy of policies) {
    const was = (await old.refusals(policy)).map(({ field, message }) => inOurWords(field, message)).sort();
    const is = migrateRefusals(policy)
      .map(({ field, message }) => withoutIndex(field, message))
      .sort();
    if (was.length > 0 && is.length > 0) refused++;
    if (isDeepStrictEqual(new Set(was), new Set(is))) continue;
    const lines = [JSON.stringify(policy), ...was.map((one) => `1.24: ${one}`), ...is.map((one) => `migrate: ${one}`)];
    differences.push(lines.join('\n  '));
  }
  return { policies: policies.length, refused, differences };
}

function migrateRefusals(policy: PodSecurityPolicy) {
  try {
    migrate([policy], { mode: 'Enforce' });
    return [];
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    return error.problems.map(({ path, message }) => ({
      field: fieldOf(path),
      message: message.slice(`${pathText(path)}: `.length),
    }));
  }
}

/** In the API server's form: a key with dots in brackets, without quotes. */
function fieldOf(path: FieldPath): string {
  const steps = path.map((step) => (typeof step === 'number' || step.includes('.') ? `[${step}]` : `.${step}`));
  return steps.join('').replace(/^\./, '');
}

/** A wrong field name in validation.go → the intended one. */
const MISNAMED: readonly (readonly [RegExp, string])[] = [
  [/^(\w+Capabilities)$/, 'spec.$1'],
  [/^spec\.volumes\.volumes/, 'spec.volumes'],
  [/^spec\.allowedFlexVolumes\.allowedFlexVolumes/, 'spec.allowedFlexVolumes'],
  [/^spec\.allowedCSIDrivers\.allowedCSIDriver/, 'spec.allowedCSIDrivers'],
  [/^(spec\.\w+Sysctls)\.items$/, '$1'],
];

function inOurWords(field: string, message: string): string {
  const named = MISNAMED.reduce((text, [wrong, right]) => text.replace(wrong, right), field);
  return line(named, message);
}

/** Fields for which validation.go gives no index: capabilities and volumes. */
function withoutIndex(field: string, message: string): string {
  return line(field.replace(/^(spec\.(?:\w+Capabilities|volumes))\[\d+\]$/, '$1'), message);
}

/** Lists are printed in Go's format there. */
function line(field: string, message: string): string {
  return `${field}: ${message.replace(/^Invalid value: (?:\[.*\]|\[\].*\{.*\}|.*\(nil\)): /, 'Invalid value: a list: ')}`;
}
