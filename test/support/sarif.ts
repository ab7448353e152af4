/** Reads SARIF logs, and checks the requirements of GitHub code scanning. */
import assert from 'node:assert/strict';

export interface SarifLog {
  readonly version: string;
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly SarifRule[] } };
    readonly results: readonly SarifLogResult[];
    readonly invocations: readonly {
      readonly toolExecutionNotifications: readonly { readonly message: { readonly text: string } }[];
    }[];
  }[];
}

interface SarifRule {
  readonly id: string;
  readonly properties?: { readonly tags: readonly string[] };
}

export interface SarifLogResult {
  readonly level: string;
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly message: { readonly text: string };
  readonly locations?: readonly {
    readonly physicalLocation?: {
      readonly artifactLocation: { readonly uri: string };
      readonly region?: { readonly startLine: number };
    };
    readonly logicalLocations?: readonly { readonly fullyQualifiedName: string }[];
  }[];
  readonly properties?: Readonly<Record<string, unknown>>;
}

/**
 * Parses a log of one run. The run in the log must declare the rules of all results. All results must be at files with
 * relative paths.
 */
export function sarifRun(text: string): SarifLog['runs'][number] {
  const log: SarifLog = JSON.parse(text);
  assert.equal(log.version, '2.1.0');
  const [run, ...others] = log.runs;
  assert.ok(run && others.length === 0);
  const rules = run.tool.driver.rules.map(({ id }) => id);
  assert.equal(new Set(rules).size, rules.length);
  for (const { ruleId, ruleIndex, locations, message } of run.results) {
    assert.equal(rules[ruleIndex], ruleId);
    const uri = locations?.[0]?.physicalLocation?.artifactLocation.uri ?? assert.fail(message.text);
    assert.doesNotMatch(uri, /^\/|^[a-z]+:/);
  }
  return run;
}
