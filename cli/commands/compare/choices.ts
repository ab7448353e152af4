/** The values that options of `cappol compare` accept. */
export const FAIL_ON = ['opens', 'closes', 'differs'] as const;
export const OUTPUTS = ['text', 'json', 'yaml', 'markdown'] as const;
