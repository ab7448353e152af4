/**
 * The error that an API server returns for a request (a metav1.Status).
 *
 * The error contains only the method and the path of the request. Headers and tokens therefore cannot reach a log
 * through the error.
 */
import { arrayOf, objectOf } from '../model/raw.ts';

interface Cause {
  readonly reason: string;
  readonly message: string;
  /**
   * The field that the error concerns, such as `.metadata.labels.team` after an apply conflict, or `spec.level` after a
   * failed validation.
   */
  readonly field?: string;
}

export interface ApiErrorFields {
  /** The HTTP status code. */
  readonly status: number;
  /**
   * The metav1.StatusReason, such as `Conflict`, `NotFound` or `Expired`. The value is `Unknown` if the answer was not
   * a Status.
   */
  readonly reason: string;
  readonly message: string;
  readonly causes: readonly Cause[];
  readonly retryAfterSeconds?: number;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly reason: string;
  readonly causes: readonly Cause[];
  readonly retryAfterSeconds?: number;
  /** The request, such as `PATCH /api/v1/namespaces/net`. */
  readonly request: string;

  constructor(fields: ApiErrorFields, request = '') {
    super(fields.message);
    this.status = fields.status;
    this.reason = fields.reason;
    this.causes = fields.causes;
    this.request = request;
    if (fields.retryAfterSeconds !== undefined) this.retryAfterSeconds = fields.retryAfterSeconds;
  }
}

/**
 * Reads the answer to a request that failed.
 *
 * @param body the body of the answer, which is a Status in JSON or any text from a proxy
 * @param retryAfter the header `Retry-After`, in seconds
 */
export function parseError(status: number, body: string, retryAfter?: string): ApiErrorFields {
  const answer = parseStatus(body);
  const details = objectOf(answer.details);
  const seconds = parseSeconds(retryAfter) ?? parseSeconds(details.retryAfterSeconds);
  return {
    status,
    reason: text(answer.reason) ?? 'Unknown',
    message: text(answer.message) ?? (body.trim().slice(0, 500) || `HTTP status ${status}`),
    causes: arrayOf(details.causes).map(parseCause),
    ...(seconds !== undefined && { retryAfterSeconds: seconds }),
  };
}

/** Reads the Status in an event of type ERROR, which is the last event of a watch. */
export function parseErrorEvent(object: unknown): ApiErrorFields {
  const code = objectOf(object).code;
  return parseError(typeof code === 'number' ? code : 500, JSON.stringify(object ?? {}));
}

export function isForbidden(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 403;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/**
 * Whether the error is a conflict. An apply can have a conflict because another field manager owns a field. Any write
 * can have a conflict about the resourceVersion or uid of a precondition.
 */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409;
}

/** Whether the server refuses the request, and would also refuse the same request later. */
export function isInvalid(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.status === 400 || error.status === 422);
}

/** Whether the server is overloaded, or is starting or stopping. */
export function isOverloaded(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 429 || error.status === 503);
}

/** Whether nothing arrived within the timeout, although the connection is open. */
export function isSilence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'UND_ERR_BODY_TIMEOUT';
}

/** Whether the resourceVersion or the continue token has expired on the server. */
export function isExpired(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 410 || error.reason === 'Expired');
}

function parseStatus(body: string): Readonly<Record<string, unknown>> {
  try {
    const parsed = objectOf(JSON.parse(body));
    return parsed.kind === 'Status' ? parsed : {};
  } catch {
    return {};
  }
}

function parseCause(value: unknown): Cause {
  const { reason, message, field } = objectOf(value);
  return { reason: text(reason) ?? '', message: text(message) ?? '', ...(text(field) && { field: text(field) }) };
}

/** HTTP allows a date in the header Retry-After, but the API server never sends a date. */
function parseSeconds(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
