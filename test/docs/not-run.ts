/** The shell blocks of the documentation that no test pastes: page → first line of the block → the reason. */
export const NOT_RUN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': {
    'kubectl apply -k config/default':
      'test/install/install.test.ts runs the first line, from docs/operations.md, and hack/demo the others',
    'npm test': 'it is the command that runs this',
  },
};
