/**
 * The time in ms to wait after a refused request. The time comes from the error's field `retryAfterSeconds`, which has
 * the value that the server asked for. Without the field, the result is 0.
 */
export function askedMs(error: unknown): number {
  const { retryAfterSeconds } = Object(error) as { readonly retryAfterSeconds?: unknown };
  return typeof retryAfterSeconds === 'number' ? retryAfterSeconds * 1000 : 0;
}
