/**
 * Runs `render --static`: writes files for API servers (KEP-5793). Without --policy, the files protect the objects that
 * an operator renders. With --policy, the files contain the policies. A cluster then needs no operator.
 */
import { dirname, join, resolve } from 'node:path';
import { protection } from '../../../analysis/protection/protection.ts';
import type { ServiceAccount } from '../../../analysis/protection/protection-cel.ts';
import type { Compiled } from '../../../operator/compile/compile.ts';
import { type ExitCode, type Io, UsageError } from '../../command.ts';
import { makeFolders } from '../../output/make-folders.ts';
import { writeWhole } from '../../output/write-file.ts';
import type { RenderOptions } from './options.ts';
import { admissionConfiguration, type StaticFile } from './static-configuration.ts';
import { impossible, left, policyFiles } from './static-policies.ts';
import { protectionText } from './static-text.ts';

export async function renderProtection(options: RenderOptions, io: Io): Promise<ExitCode> {
  const operators = options.operatorServiceAccount.map((text) => account(text, options.operatorNamespace));
  const text = protectionText(protection({ operators, pinned: options.protectPolicies }));
  return print([{ path: 'validating/protection.yaml', text }], options, io);
}

export async function renderStaticPolicies(compiled: Compiled, options: RenderOptions, io: Io): Promise<ExitCode> {
  const refusals = impossible(compiled.specs);
  if (refusals.length > 0) throw new UsageError(refusals.join('\n'));
  for (const line of left(compiled)) io.stderr.write(`cappol: ${line}\n`);
  return print(policyFiles(compiled), options, io);
}

/** The service account in the value of a flag, which has the form `NAME` or `NAMESPACE/NAME`. */
function account(text: string, namespace: string): ServiceAccount {
  const parts = text.split('/');
  const [first = '', second] = parts;
  if (parts.length > 2 || parts.includes(''))
    throw new UsageError(
      `--operator-service-account: write NAME or NAMESPACE/NAME; ${JSON.stringify(text)} is neither`,
    );
  return second === undefined ? { namespace, name: first } : { namespace: first, name: second };
}

async function print(files: readonly StaticFile[], options: RenderOptions, io: Io): Promise<ExitCode> {
  const all = [{ path: 'admission.yaml', text: admissionConfiguration(files, options.mountedAt) }, ...files];
  if (options.directory === undefined) {
    io.stdout.write(all.map(({ path, text }) => `# File: ${path}\n${text}`).join('---\n'));
    return 0;
  }
  for (const { path, text } of all) {
    const file = resolve(io.cwd, options.directory, path);
    makeFolders(dirname(file));
    writeWhole(file, text);
    io.stdout.write(`${join(options.directory, path)}\n`);
  }
  return 0;
}
