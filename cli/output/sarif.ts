/** Writes SARIF 2.1.0, the format for code scanning. */
import { SarifBuilder, SarifResultBuilder, SarifRuleBuilder, SarifRunBuilder } from 'node-sarif-builder';
import { referencesBy, referenceText } from '../../analysis/check/rule-references.ts';
import { escapedControls } from '../../analysis/text/printable-values.ts';
import { USE_RULE } from '../../operator/evaluate/verdict.ts';
import { RULES } from '../../operator/rules/index.ts';
import { SIZE_RULE } from '../../operator/rules/size.ts';
import { VERSION } from '../version.ts';
import { relativePath } from './relative-path.ts';

/** The SARIF rule for problems of the input. A problem of the input is not a violation of a policy. */
export const PROBLEM = 'InvalidManifest';

export interface SarifResult {
  readonly level: 'error' | 'warning' | 'note';
  readonly ruleId: string;
  readonly text: string;
  /** The path of the file as the user wrote it; `-` for standard input. */
  readonly file: string | null;
  readonly line: number | null;
  readonly logicalLocation?: { readonly name: string; readonly kind: string; readonly fullyQualifiedName: string };
  readonly properties?: Readonly<Record<string, unknown>>;
}

/**
 * A run of cappol in SARIF. Each result of the run belongs either to a rule about pods, or to a rule of the command
 * itself.
 */
export class SarifRun {
  readonly #cwd: string;
  readonly #run = new SarifRunBuilder().initSimple({ toolDriverName: 'cappol', toolDriverVersion: VERSION });

  /** @param ownRules the ID and the description of each rule that only the command has */
  constructor(cwd: string, ownRules: readonly (readonly [id: string, text: string])[]) {
    this.#cwd = cwd;
    const rules = [
      ...RULES.map(({ id, title }) => [id, title] as const),
      [USE_RULE, 'The pod must be allowed to use the policy.'] as const,
      [SIZE_RULE, 'The lists of a pod must not be longer than the lists of real pods.'] as const,
      ...ownRules,
      [PROBLEM, 'Input that cannot be read or evaluated, and fields that the API server refuses.'] as const,
    ];
    for (const [ruleId, shortDescriptionText] of rules) {
      const descriptor = new SarifRuleBuilder().initSimple({ ruleId, shortDescriptionText });
      const references = referencesBy(ruleId);
      if (references.length > 0) descriptor.rule.properties = { tags: ['security', ...references.map(referenceText)] };
      this.#run.addRule(descriptor);
    }
  }

  add({ level, ruleId, text: messageText, file, line, logicalLocation, properties }: SarifResult): void {
    const place = {
      ...(file !== null && { fileUri: this.#uri(file) }),
      ...(file !== null && line !== null && { startLine: line }),
    };
    const builder = new SarifResultBuilder().initSimple({ level, ruleId, messageText, ...place });
    const [location = {}] = builder.result.locations ?? [];
    if (logicalLocation) builder.result.locations = [{ ...location, logicalLocations: [logicalLocation] }];
    if (properties) builder.result.properties = properties;
    this.#run.addResult(builder);
  }

  /** @param notes the notes that are about the whole run, and not about a line of a file */
  text(notes: readonly string[]): string {
    const notifications = notes.map((text) => ({ level: 'note' as const, message: { text } }));
    this.#run.run.invocations = [{ executionSuccessful: true, toolExecutionNotifications: notifications }];
    const log = new SarifBuilder();
    log.addRun(this.#run);
    return `${escapedControls(log.buildSarifJsonString({ indent: true }))}\n`;
  }

  /** Code scanning requires a relative path. */
  #uri(file: string): string {
    return (file === '-' ? 'stdin' : relativePath(this.#cwd, file)).split('/').map(encodeURIComponent).join('/');
  }
}
