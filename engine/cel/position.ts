/** The error of a text that is no expression, or that has a wrong type. */
export class ExpressionError extends Error {
  /** The line and the column of the problem, counted from 1. A column is a UTF-16 unit. */
  readonly line: number;
  readonly column: number;

  /** @param offset the position of the problem in the text, in UTF-16 units */
  constructor(problem: string, text: string, offset: number) {
    const before = text.slice(0, offset).split('\n');
    const [line, column] = [before.length, (before.at(-1)?.length ?? 0) + 1];
    super(`${problem} (line ${line}, column ${column}: ${excerpt(text, offset)})`);
    this.line = line;
    this.column = column;
  }

  /** Converts an error of cel-js about the text. Other errors stay as they are. */
  static in(text: string, error: unknown): unknown {
    if (!isOfCelJs(error)) return error;
    return new ExpressionError(error.summary, text, error.range?.start ?? 0);
  }
}

interface CelJsError extends Error {
  readonly summary: string;
  readonly range?: { readonly start: number };
}

function isOfCelJs(error: unknown): error is CelJsError {
  return error instanceof Error && 'summary' in error && typeof error.summary === 'string';
}

/** The part of the line around the position, as a reader would search for it. */
function excerpt(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1).split('\n', 1)[0] ?? '';
  const at = offset - (text.lastIndexOf('\n', offset - 1) + 1);
  return JSON.stringify(line.slice(Math.max(0, at - 20), at + 40));
}
