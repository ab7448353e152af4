/** The formats in which edits are printed. */
export const OUTPUTS = ['diff', 'manifests', 'kustomize', 'json'] as const;
export type Output = (typeof OUTPUTS)[number];
