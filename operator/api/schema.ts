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
  /**
   * The scalar fields without `omitempty`. If a scalar field without `omitempty` is absent, the API server reads the
   * field as empty.
   */
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
  /** The path of the refused field, such as `.overrides`. The path is relative to the object that has the rule. */
  readonly fieldPath?: string;
  readonly reason?: string;
}

/**
 * The schema of a property. If a property has no schema of its own, the result is the schema in `additionalProperties`.
 */
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
