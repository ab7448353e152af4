/**
 * The time in ms to wait after a refused request, as the server's answer asks. The time comes from the error's field
 * `retryAfterSeconds`. Without the field, the result is 0.
 */
export function askedMs(error: unknown): number {
  const { retryAfterSeconds } = Object(error) as { readonly retryAfterSeconds?: unknown };
  return typeof retryAfterSeconds === 'number' ? retryAfterSeconds * 1000 : 0;
}
