/** A small client of the API server for tests: any path, any user, and the warnings of an answer. */
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
  /** The texts of the Warning headers, in order. */
  readonly warnings: readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: tests read any field of an API server's answer
export type Json = any;

export interface Request {
  readonly query?: Readonly<Record<string, string | boolean>>;
  /** JSON, or any text or bytes, sent unchanged. */
  readonly body?: unknown;
  readonly contentType?: string;
  /** The user of the request; by default, the client's user. */
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
   * @param kubeconfig path of a kubeconfig as the test control plane writes it @param as the user of requests that name
   * none; the cluster administrator by default
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

  /** Any answer of the API server, including errors. */
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

  /** @throws Error with the API server's message; this holds for all calls below */
  async get(path: string, query: Request['query'] = {}): Promise<Json> {
    return this.#done('GET', path, { query });
  }

  /** Undefined when the object does not exist. */
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

  /** Server-side apply of everything in `body`, by force, as the field manager `test`. */
  async apply(path: string, body: unknown, fieldManager = 'test'): Promise<Json> {
    return this.#done('PATCH', path, { body, contentType: APPLY, query: { fieldManager, force: true } });
  }

  /** A manual change: a merge patch, or a JSON patch if `patch` is a list. */
  async patch(path: string, patch: unknown): Promise<Json> {
    return this.#done('PATCH', path, { body: patch, contentType: Array.isArray(patch) ? JSON_PATCH : MERGE });
  }

  /** Deletes an object, which may be missing. */
  async remove(path: string, propagationPolicy: 'Background' | 'Orphan' = 'Background'): Promise<void> {
    const { status, body } = await this.ask('DELETE', path, { body: { propagationPolicy } });
    if (status !== 404) succeeded('DELETE', path, status, body);
  }

  async #done(method: Method, path: string, request: Request): Promise<Json> {
    const { status, body } = await this.ask(method, path, request);
    return succeeded(method, path, status, body);
  }
}

/** Sent unchanged. */
function isRaw(body: unknown): body is string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array;
}

function succeeded(method: Method, path: string, status: number, body: Json): Json {
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${body.message}`);
  return body;
}

/** Text that is not JSON, such as the answer about an API that is not served, is a message. */
function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.trim() };
  }
}

/** `299 - "text"`, with escaped quotes inside; in UTF-8, which the HTTP client decodes byte by byte. */
function warningText(header: string): string {
  const text = Buffer.from(header, 'latin1').toString('utf8');
  return text.replace(/^\d+ \S+ "(.*)"$/, '$1').replace(/\\(.)/g, '$1');
}

function text(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
