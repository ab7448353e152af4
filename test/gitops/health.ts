/** Runs Argo CD's health check in a Lua interpreter. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { CONFIG } from '../support/rights.ts';

/**
 * The files of the health check have the same names as in Argo CD's repository. The files could therefore be copied to
 * Argo CD's repository.
 */
export const CUSTOMIZATION = join(CONFIG, 'argocd/resource_customizations/capabilitypolicy.dev/CapabilityPolicy');

export interface Health {
  readonly status: string;
  readonly message: string;
}

/**
 * Argo CD's interpreter opens only the libraries base and table, and a part of os (argo-cd, util/lua/lua.go). Without
 * the string library, strings have no methods.
 */
const RUNNER = `
local write = io.write
getmetatable("").__index = nil
for _, one in ipairs(objects) do
  local check = assert(loadfile(script))
  setfenv(check, { obj = one, ipairs = ipairs, pairs = pairs, next = next, type = type, tostring = tostring,
    tonumber = tonumber, select = select, unpack = unpack, error = error, pcall = pcall, table = table })
  local found = check()
  write(found.status, "\\0", found.message, "\\0")
end
`;

/**
 * The health of each object.
 * @throws an Error with Lua's message about the script
 */
export function healthOf(objects: readonly unknown[]): Health[] {
  const globals = `script = ${literal(join(CUSTOMIZATION, 'health.lua'))}\nobjects = ${literal(objects)}\n`;
  const { status, stdout, stderr } = spawnSync('lua5.1', ['-'], { input: globals + RUNNER, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const texts = stdout.split('\0');
  return objects.map((_, i) => ({ status: texts[2 * i] ?? '', message: texts[2 * i + 1] ?? '' }));
}

/** The value as a Lua literal, without null fields. */
function literal(value: unknown): string {
  if (typeof value === 'string') return `"${[...Buffer.from(value)].map(escaped).join('')}"`;
  if (Array.isArray(value)) return `{${value.map(literal).join(',')}}`;
  if (value === null || value === undefined) return 'nil';
  if (typeof value !== 'object') return String(value);
  return `{${Object.entries(value).map(([key, field]) => `[${literal(key)}]=${literal(field)}`)}}`;
}

function escaped(byte: number): string {
  return `\\${String(byte).padStart(3, '0')}`;
}
