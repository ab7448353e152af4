/** Matches the patterns of .gitignore files (https://git-scm.com/docs/gitignore, section "Pattern format"). */

export interface IgnorePatterns {
  /**
   * @param path the path relative to the folder of the patterns, with slashes
   * @returns undefined if no pattern matches the path
   */
  ignores(path: string, isFolder: boolean): boolean | undefined;
}

interface Pattern {
  readonly matcher: RegExp;
  readonly negated: boolean;
  readonly folders: boolean;
}

/** Reads the patterns of a .gitignore. If several patterns match a path, the last matching pattern decides. */
export function ignorePatterns(lines: readonly string[]): IgnorePatterns {
  const patterns = lines.flatMap(patternOf).reverse();
  return {
    ignores(path, isFolder) {
      const found = patterns.find(({ matcher, folders }) => (isFolder || !folders) && matcher.test(path));
      return found && !found.negated;
    },
  };
}

function patternOf(line: string): Pattern[] {
  const text = line.replace(/\r$/, '').replace(/(?<!\\) +$/, '');
  if (text === '' || text.startsWith('#')) return [];
  const negated = text.startsWith('!');
  const bare = (negated ? text.slice(1) : text).replace(/^\.\//, '');
  const folders = bare.endsWith('/');
  const path = folders ? bare.slice(0, -1) : bare;
  // If a pattern contains a slash before its end, the pattern applies only in its own folder.
  const anchored = path.includes('/');
  const matcher = expressionOf(path.replace(/^\//, ''), anchored);
  return matcher ? [{ matcher, negated, folders }] : [];
}

const TOKENS = /\\(.)|(^|\/)\*\*(?:\/|$)|\*+|\?|\[([!^]?)((?:\\.|[^\]\\])+)\]|[^\\*?[]/gs;

/** The regular expression for a pattern. The result is undefined for a pattern that no path can match. */
function expressionOf(pattern: string, anchored: boolean): RegExp | undefined {
  const text = pattern.replace(TOKENS, (token, escaped?: string, before?: string, negation?: string, set?: string) => {
    if (escaped !== undefined) return literal(escaped);
    if (before !== undefined) return token.endsWith('/') ? `${before}(?:.*/)?` : `${before}.+`;
    if (token.startsWith('*')) return '[^/]*';
    if (token === '?') return '[^/]';
    if (set !== undefined) return `(?!/)[${negation === '' ? '' : '^'}${set.replace(/[[\]^]/g, '\\$&')}]`;
    return literal(token);
  });
  try {
    return new RegExp(`${anchored ? '^' : '(?:^|/)'}${text}$`, 's');
  } catch {
    return undefined;
  }
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
