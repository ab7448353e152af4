/**
 * A small client of the API server for tests. The client can send a request to any path as any user, and returns the
 * warnings in the response.
 */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { SERVERNAME } from './readiness.ts';

export interface Identity {
  readonly user: string;
  readonly groups?: readonly string[];
}

export interface Answer {
  readonly status: number;
  readonly body: Json;
  /** The texts of the Warning headers, in the order of the headers. */
  readonly warnings: readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: tests read any field of an API server's answer
export type Json = any;

export interface Request {
  readonly query?: Readonly<Record<string, string | boolean>>;
  /** The body of the request. Text and bytes are sent unchanged. All values except text and bytes are sent as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  /** The user of the request. If the field is undefined, the client's own user makes the request. */
  readonly as?: Identity;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const APPLY = 'application/apply-patch+yaml';
const MERGE = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';

export class Api {
  readonly #server: string;
  readonly #agent: Agent;
  readonly #as: Identity | undefined;

  /**
   * @param kubeconfig the path of a kubeconfig in the form that the test control plane writes
   * @param as the user of requests that name no user. The default is the cluster administrator
   */
  constructor(kubeconfig: string, as?: Identity) {
    this.#as = as;
    const { clusters, users } = JSON.parse(readFileSync(kubeconfig, 'utf8'));
    const [{ cluster }] = clusters;
    const [{ user }] = users;
    this.#server = cluster.server;
    this.#agent = new Agent({
      allowH2: false,
      connect: {
        ca: text(cluster['certificate-authority-data']),
        cert: text(user['client-certificate-data']),
        key: text(user['client-key-data']),
        servername: SERVERNAME,
      },
    });
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** Sends a request. @returns the response of the API server, even if it is an error */
  async ask(
    method: Method,
    path: string,
    { query = {}, body, contentType, as = this.#as }: Request = {},
  ): Promise<Answer> {
    const url = new URL(this.#server + path);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, String(value));
    const answer = await request(url, {
      method,
      dispatcher: this.#agent,
      headers: {
        accept: 'application/json',
        'content-type': contentType ?? 'application/json',
        ...(as && { 'impersonate-user': as.user, 'impersonate-group': [...(as.groups ?? [])] }),
      },
      ...(body !== undefined && { body: isRaw(body) ? body : JSON.stringify(body) }),
    });
    return {
      status: answer.statusCode,
      body: parsed(await answer.body.text()),
      warnings: [answer.headers.warning ?? []].flat().map(warningText),
    };
  }

  /**
   * Reads an object. @throws Error with the API server's message. All methods below also throw an Error with the API
   * server's message
   */
  async get(path: string, query: Request['query'] = {}): Promise<Json> {
    return this.#done('GET', path, { query });
  }

  /** Reads an object. The result is undefined if the object does not exist. */
  async find(path: string): Promise<Json | undefined> {
    const { status, body } = await this.ask('GET', path);
    if (status === 404) return undefined;
    return succeeded('GET', path, status, body);
  }

  async list(path: string, labelSelector?: string): Promise<Json[]> {
    const { items } = await this.get(path, labelSelector === undefined ? {} : { labelSelector });
    return items;
  }

  async create(path: string, body: unknown): Promise<Json> {
    return this.#done('POST', path, { body });
  }

  /** Applies the objects in `body` by server-side apply. The request uses force and the field manager `test`. */
  async apply(path: string, body: unknown, fieldManager = 'test'): Promise<Json> {
    return this.#done('PATCH', path, { body, contentType: APPLY, query: { fieldManager, force: true } });
  }

  /**
   * Changes an object as a user would by hand. If `patch` is a list, the request is a JSON patch. If `patch` is not a
   * list, the request is a merge patch.
   */
  async patch(path: string, patch: unknown): Promise<Json> {
    return this.#done('PATCH', path, { body: patch, contentType: Array.isArray(patch) ? JSON_PATCH : MERGE });
  }

  /** Deletes an object. The object may be missing. */
  async remove(path: string, propagationPolicy: 'Background' | 'Orphan' = 'Background'): Promise<void> {
    const { status, body } = await this.ask('DELETE', path, { body: { propagationPolicy } });
    if (status !== 404) succeeded('DELETE', path, status, body);
  }

  async #done(method: Method, path: string, request: Request): Promise<Json> {
    const { status, body } = await this.ask(method, path, request);
    return succeeded(method, path, status, body);
  }
}

/** Whether a body must be sent unchanged. */
function isRaw(body: unknown): body is string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array;
}

function succeeded(method: Method, path: string, status: number, body: Json): Json {
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${body.message}`);
  return body;
}

/**
 * Parses the body of a response. If the body is not JSON, the result is an object with the body as its message. For
 * example, if the server does not serve the requested API, the body is not JSON.
 */
function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.trim() };
  }
}

/**
 * The text of a Warning header such as `299 - "text"`. In the header, quotes are escaped. The HTTP client decodes the
 * header byte by byte, although the text is UTF-8. This function therefore decodes the text again, as UTF-8.
 */
function warningText(header: string): string {
  const text = Buffer.from(header, 'latin1').toString('utf8');
  return text.replace(/^\d+ \S+ "(.*)"$/, '$1').replace(/\\(.)/g, '$1');
}

function text(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
