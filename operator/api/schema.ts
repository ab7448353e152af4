/**
 * The structural schema of a CRD (OpenAPI v3). The type has the keywords that this project's CRD and other schemas use.
 */

export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly required?: readonly string[];
  /** The scalar fields without `omitempty`. If such a field is absent, the API server reads it as empty. */
  readonly neverAbsent?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-validations'?: readonly CelRule[];
}

export interface CelRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  /** The path of the refused field, relative to the object that has the rule, such as `.overrides`. */
  readonly fieldPath?: string;
  readonly reason?: string;
}

/** The schema of a property. A property without its own schema has the schema for additional properties. */
export function partOf(schema: Schema, key: string): Schema | undefined {
  const { properties, additionalProperties } = schema;
  return properties && Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
}

export function schemaAt(schema: Schema, path: readonly (string | number)[]): Schema | undefined {
  return path.reduce<Schema | undefined>(
    (at, step) => at && (typeof step === 'number' ? at.items : partOf(at, step)),
    schema,
  );
}
