/** The shell blocks of the documentation that no test pastes, all of them: page → first line of the block → why. */
export const NOT_RUN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': {
    'npm test': 'it is what runs this',
  },
};
