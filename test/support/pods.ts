/** Makes minimal pods in the form that rules read. By default, the only container is `app`. */
import type { Container, PodContent } from '../../operator/model/objects.ts';

type Fields = Readonly<Record<string, unknown>>;

export function pod(spec: Fields = {}, annotations: Readonly<Record<string, string>> = {}): PodContent {
  return { annotations, spec: { containers: [{ name: 'app' }], ...spec } };
}

/** A pod whose container `app` has the given fields. */
export function app(fields: Fields, spec: Fields = {}): PodContent {
  return pod({ containers: [{ name: 'app', ...fields }], ...spec });
}

/**
 * A pod whose container `app` adds the given capabilities. Level baseline admits the capability CHOWN. Neither baseline
 * nor restricted admits SYS_ADMIN.
 */
export function adding(add: readonly string[], spec: Fields = {}): PodContent {
  return pod({ containers: [container('app', add)], ...spec });
}

export function container(name: string, add: readonly string[] = []): Container {
  return add.length === 0 ? { name } : { name, securityContext: { capabilities: { add } } };
}

/** A pod with the given container `app`, and with an init container `init` that has the given fields. */
export function init(fields: Fields, appFields: Fields = {}): PodContent {
  return app(appFields, { initContainers: [{ name: 'init', ...fields }] });
}

/** A pod with the given container `app`, and with an ephemeral container `debug` that has the given fields. */
export function ephemeral(fields: Fields, appFields: Fields = {}): PodContent {
  return app(appFields, { ephemeralContainers: [{ name: 'debug', ...fields }] });
}

/** The fields of a container with the given securityContext. */
export function secured(securityContext: Fields): Fields {
  return { securityContext };
}

/** Fields of a PodSpec for Windows nodes. */
export const WINDOWS: Fields = { os: { name: 'windows' } };

/** Fields of a PodSpec for Linux nodes. */
export const LINUX: Fields = { os: { name: 'linux' } };

/** Fields of a PodSpec for a pod in a user namespace. */
export const OWN_USERS: Fields = { hostUsers: false };
