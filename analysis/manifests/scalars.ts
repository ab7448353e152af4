/**
 * Reads scalars as kubectl does. kubectl uses the package sigs.k8s.io/yaml. The package is based on
 * go.yaml.in/yaml/v2 (resolve.go) and reads scalars by YAML 1.1. For example, `privileged: yes` is true, and
 * `runAsUser: 010` is 8.
 */
import { boolYaml11Tag, CORE_SCHEMA, defineScalarTag, NOT_RESOLVED } from 'js-yaml';

const INTEGER = /^[-+]?(?:0[bB][01]+|0[oO]?[0-7]+|0[xX][0-9a-fA-F]+|0|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const RADIX = { b: 2, o: 8, x: 16 } as const;

const numberTag = defineScalarTag('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: ['+', '-', '.', ...'0123456789'],
  resolve: number,
  identify: () => false,
});

/**
 * The js-yaml schema for manifests. Timestamps and numbers in base 60 are read as strings, because cappol reads no
 * field that is a time. merge-keys.ts adds the merge keys.
 */
export const MANIFEST_SCHEMA = CORE_SCHEMA.withTags(boolYaml11Tag, numberTag);

function number(source: string): number | typeof NOT_RESOLVED {
  const plain = source.includes('_') ? source.replaceAll('_', '') : source;
  if (INTEGER.test(plain)) return integer(plain);
  return FLOAT.test(plain) ? Number(plain) : NOT_RESOLVED;
}

function integer(plain: string): number {
  const sign = plain.startsWith('-') ? -1 : 1;
  const digits = plain.replace(/^[-+]/, '').toLowerCase();
  const prefix = digits[1] as keyof typeof RADIX;
  if (digits[0] !== '0' || digits.length === 1) return sign * Number(digits);
  return sign * (prefix in RADIX ? Number.parseInt(digits.slice(2), RADIX[prefix]) : Number.parseInt(digits, 8));
}
