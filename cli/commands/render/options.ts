/** Defines the options of `render`. */
import type { PolicyOptions } from '../../options.ts';

export interface RenderOptions extends PolicyOptions {
  readonly policy: readonly string[];
  readonly diff?: boolean;
  readonly static?: boolean;
  readonly directory?: string;
  readonly mountedAt: string;
  readonly operatorServiceAccount: readonly string[];
  readonly protectPolicies: readonly string[];
  readonly at?: number;
  readonly serverVersion: number;
}
