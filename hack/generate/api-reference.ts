/** Makes the reference page of the API from the CRD. The code is pure: the same CRD always gives the same text. */
import type { Schema } from '../../operator/api/schema.ts';
import { SPEC_DEFAULTS } from '../../operator/api/spec-defaults.ts';
import { prose, table } from './markdown.ts';

/** The fields of a CRD that the page shows. */
export interface Crd {
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: {
      readonly kind: string;
      readonly plural: string;
      readonly shortNames?: readonly string[];
      readonly categories?: readonly string[];
    };
    readonly versions: readonly [CrdVersion];
  };
}

interface CrdVersion {
  readonly name: string;
  readonly additionalPrinterColumns?: readonly Column[];
  readonly schema: { readonly openAPIV3Schema: Schema };
}

interface Column {
  readonly name: string;
  readonly jsonPath: string;
  readonly description?: string;
  /** The priority of the column. A column with a priority above 0 is shown only with -o wide. */
  readonly priority?: number;
}

/** The reference page as Markdown. */
export function apiReference({ spec }: Crd): string {
  const { group, scope, names, versions } = spec;
  const [{ name: version, additionalPrinterColumns = [], schema }] = versions;
  const root = schema.openAPIV3Schema;
  const short = [...(names.shortNames ?? []), ...(names.categories ?? [])].map((name) => `\`kubectl get ${name}\``);
  const { spec: fields = {}, status = {} } = root.properties ?? {};
  return `${[
    `# ${names.kind}`,
    '<!-- Written by `npm run generate` from crds/. Do not edit. -->',
    `\`${group}/${version}\`, ${scope === 'Cluster' ? 'in no namespace' : 'in a namespace'}; also ${short.join(' and ')}. In a cluster \`kubectl explain ${names.plural}.spec\` says the same.`,
    paragraphs(root.description),
    ...refusals(root),
    'For each override, [rules.md](rules.md) lists the value at each level and version, and the CEL.',
    ...section('spec', withDefaults(fields), 'required'),
    ...section('status', status, ''),
    '## Columns',
    table(['column', 'field', 'shows'], additionalPrinterColumns.map(columnRow)),
  ].join('\n\n')}\n`;
}

/** Adds the defaults to the schema of `spec`. The CRD has no defaults, because the operator fills them in. */
function withDefaults(spec: Schema): Schema {
  const defaults: Readonly<Record<string, unknown>> = SPEC_DEFAULTS;
  const fields = Object.entries(spec.properties ?? {});
  return {
    ...spec,
    properties: Object.fromEntries(fields.map(([name, field]) => [name, { ...field, default: defaults[name] }])),
  };
}

function columnRow({ name, jsonPath, description = '', priority = 0 }: Column): string[] {
  return [priority > 0 ? `${name} (\`-o wide\`)` : name, `\`${jsonPath.slice(1)}\``, prose(description)];
}

/** The sections about a field and all fields below it. Each field has its own heading. */
function section(path: string, schema: Schema, needed: string): string[] {
  const object = objectOf(schema);
  const below = object === schema ? path : `${path}[]`;
  const parts = Object.entries(object.properties ?? {}).map(([name, part]) => ({
    path: `${below}.${name}`,
    name,
    part,
    needed: isRequired(object, name) ? 'required' : '',
  }));
  const rows = parts.map((one) => [`[${one.name}](#${anchor(one.path)})`, typeOf(one.part), leftOut(one)]);
  return [
    `${path.includes('.') ? '###' : '##'} ${path}`,
    `*${[typeOf(schema), limits(schema), needed, defaultOf(schema)].filter((text) => text !== '').join(', ')}*`,
    paragraphs(schema.description),
    ...(object === schema ? [] : [paragraphs(object.description)]),
    ...refusals(schema),
    ...(schema.items ? refusals(schema.items, 'Entries are refused') : []),
    ...(rows.length > 0 ? [table(['field', 'type', ''], rows)] : []),
    ...parts.flatMap((one) => section(one.path, one.part, one.needed)),
  ].filter((text) => text !== '');
}

/** The schema whose fields are shown. For a list, the result is the schema of the list's entries. */
function objectOf(schema: Schema): Schema {
  return schema.items?.properties ? schema.items : schema;
}

/** Whether a field is required, either by `required` or by a CEL rule. */
function isRequired({ required = [], 'x-kubernetes-validations': rules = [] }: Schema, name: string): boolean {
  return (
    required.includes(name) ||
    rules.some(({ reason, fieldPath }) => reason === 'FieldValueRequired' && fieldPath === `.${name}`)
  );
}

function leftOut({ part, needed }: { readonly part: Schema; readonly needed: string }): string {
  return needed || defaultOf(part);
}

function defaultOf(schema: Schema): string {
  if (schema.default === undefined) return '';
  const { default: value } = schema;
  return `default \`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function typeOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.items) return `list of ${schema.items.enum ? typeOf(schema.items) : `${schema.items.type}s`}`;
  if (schema.additionalProperties) return `map to ${schema.additionalProperties.type}s`;
  return schema.type ?? '';
}

/** The limits of the value, or of the number of entries or characters. */
function limits(schema: Schema): string {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, maxProperties } = schema;
  return [
    between(minimum, maximum, ''),
    between(minLength, maxLength, ' characters'),
    between(minItems, maxItems, ' entries'),
    between(undefined, maxProperties, ' entries'),
  ]
    .filter((text) => text !== '')
    .join(', ');
}

function between(least: number | undefined, most: number | undefined, of: string): string {
  if (most === undefined) return least === undefined ? '' : `at least ${least}${of}`;
  return least === undefined ? `at most ${most}${of}` : `${least} to ${most}${of}`;
}

/** Lists the messages that the API server returns when it refuses a value. */
function refusals({ 'x-kubernetes-validations': rules = [] }: Schema, title = 'Refused'): string[] {
  if (rules.length === 0) return [];
  const lines = rules.map(({ message = '', fieldPath }) => {
    const where = fieldPath === undefined ? '' : `\`${fieldPath.slice(1)}\`: `;
    return `* ${where}${prose(message)}`;
  });
  return [[`${title} with these words:`, '', ...lines].join('\n')];
}

/**
 * Splits a description into paragraphs. YAML may fold a text. If YAML folds the text, an empty line in the source
 * becomes a line break in the text.
 */
function paragraphs(description = ''): string {
  return prose(description.trim().replaceAll(/\n+/g, '\n\n'));
}

/** The anchor that GitHub makes from a heading. */
function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\w -]/g, '');
}
