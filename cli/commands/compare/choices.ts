/** Lists the values that the options of `cappol compare` accept. */
export const FAIL_ON = ['opens', 'closes', 'differs'] as const;
/** The value of --fail-on if the user names only one set of policies. */
export const FINDINGS = 'findings';
export const OUTPUTS = ['text', 'json', 'yaml', 'markdown', 'github', 'sarif'] as const;

export type FailOn = (typeof FAIL_ON)[number];
export type Output = (typeof OUTPUTS)[number];
