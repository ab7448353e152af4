/** The shell blocks of the documentation that no test pastes, all of them: page → first line of the block → why. */
export const NOT_RUN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': {
    'npm test': 'it is what runs this',
  },
  'docs/concepts.md': {
    'kubectl wait --for=condition=Ready capabilitypolicies --all --timeout=60s':
      'the tutorial waits so, again and again',
  },
  'docs/operations.md': {
    'helm upgrade capabilitypolicy config/helm/capabilitypolicy --namespace capabilitypolicy-system':
      'test/install upgrades to a changed value',
  },
};
