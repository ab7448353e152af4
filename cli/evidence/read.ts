/** Reads evidence of the capabilities that processes used, from the files of several tools. */
import { RecordError } from '../../analysis/evidence/fields.ts';
import { linesIn } from '../../analysis/evidence/lines.ts';
import { EvidenceSum } from '../../analysis/evidence/merge.ts';
import { EvidenceReader } from '../../analysis/evidence/reader.ts';
import type { Evidence } from '../../analysis/evidence/use.ts';
import { reason } from '../../analysis/manifests/trouble.ts';
import { counted } from '../../operator/text/wording.ts';
import { type InputFile, manifestFiles } from '../input/files.ts';
import { manifestsOf, type Reading, type ReadOptions } from '../input/manifests.ts';
import { EventLoopYield, isAtHand, spool, textAtHand } from '../input/text.ts';

const EXTENSIONS = /\.(?:ya?ml|json|jsonl|ndjson|log)$/i;
/**
 * The number of lines that the program examines to find out whether a file has one record in each line. A tool may
 * print a few messages before the first record.
 */
const DECIDING_LINES = 20;
const RECORD = /^\s*(?:\{\s*"|\[\s*\{)/;
/** Matches the heading of the table that Inspektor Gadget prints without `-o json`. */
const TABLE = /^(?:K8S\.|RUNTIME\.)\w+\s/;
/** The maximum number of invalid lines that are reported one by one. Further invalid lines are only counted. */
const MOST_TOLD = 5;

/**
 * Reads evidence. A record that cannot be read is reported, and the other records are used.
 *
 * @param paths the paths of files or folders, or `-` for standard input
 */
export async function readEvidence(
  paths: readonly string[],
  io: Reading,
  options: Pick<ReadOptions, 'tell'>,
): Promise<Evidence> {
  const sum = new EvidenceSum();
  for (const file of manifestFiles(paths, { cwd: io.cwd }, options.tell, EXTENSIONS)) {
    sum.add(await evidenceIn(file, io, options));
  }
  return sum.total;
}

async function evidenceIn(file: InputFile, io: Reading, { tell }: Pick<ReadOptions, 'tell'>): Promise<Evidence> {
  const reader = new EvidenceReader();
  const { name } = file;
  const tellWrong = limited((line, message) => tell({ file: name, line, message }));
  try {
    const copy = isAtHand(file) ? file : await spool(file, io);
    const [first] = linesIn(textAtHand(copy, io));
    if (first?.text !== undefined && TABLE.test(first.text)) {
      tellWrong.one(first.number, 'the file contains a table instead of JSON: run the gadget again with -o json');
    } else if (hasRecordLines(copy, io)) {
      await readLines(copy, io, { reader, tellWrong, tellCut: (line) => tell({ file: name, line, ...CUT }) });
    } else {
      for await (const { object, line } of manifestsOf([copy], io, { tell })) add(object, line, reader, tellWrong.one);
    }
  } catch (error) {
    io.signal.throwIfAborted();
    tell({ file: name, message: reason(error) });
  }
  tellWrong.rest();
  if (reader.outside > 0) {
    const message = `left out ${counted(reader.outside, 'check')} of processes outside of pods`;
    tell({ file: name, message, severity: 'warning' });
  }
  return reader.evidence;
}

const CUT = {
  message:
    'the last line has only the beginning of a record, perhaps because a tool was stopped while it wrote the line; the other lines count',
  severity: 'warning',
} as const;

type AtHand = Parameters<typeof textAtHand>[0];

function hasRecordLines(file: AtHand, io: Reading): boolean {
  let count = 0;
  for (const { text = '' } of linesIn(textAtHand(file, io))) {
    if (RECORD.test(text)) return true;
    // In indented JSON and YAML, some lines look like messages of a tool. The first lines of an indented JSON or YAML
    // file do not look like messages.
    count += 1;
    if (count >= DECIDING_LINES || !isMessage(text)) return false;
  }
  return false;
}

/** Whether a line is a message of a tool, such as `WARN[0000] …`, and not a line of a manifest. */
function isMessage(text: string): boolean {
  return !/^(?:---|#|%|\s*[{[]\s*$|\s*-\s|[\w.-]+:(?:\s|$))/.test(text);
}

interface LineReading {
  readonly reader: EvidenceReader;
  readonly tellWrong: Limited;
  tellCut(line: number): void;
}

async function readLines(file: AtHand, io: Reading, { reader, tellWrong, tellCut }: LineReading): Promise<void> {
  const eventLoopYield = new EventLoopYield();
  for (const { text, number, ended } of linesIn(textAtHand(file, io))) {
    if (eventLoopYield.isDue) await eventLoopYield.take();
    const parsed = text === undefined ? undefined : jsonIn(text);
    if (parsed !== undefined) add(parsed.value, number, reader, tellWrong.one);
    else if (text === undefined) tellWrong.one(number, 'the line is longer than any record');
    else if (!ended && RECORD.test(text)) tellCut(number);
    else tellWrong.one(number, `not JSON: ${JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)}`);
  }
}

function jsonIn(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function add(value: unknown, line: number, reader: EvidenceReader, tell: Limited['one']): void {
  try {
    reader.add(value);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    tell(line, error.message);
  }
}

interface Limited {
  one(line: number, message: string): void;
  /** Reports the number of invalid lines that were not reported one by one. */
  rest(): void;
}

function limited(tell: (line: number, message: string) => void): Limited {
  let count = 0;
  let last = 0;
  return {
    one(line, message) {
      count += 1;
      last = line;
      if (count <= MOST_TOLD) tell(line, message);
    },
    rest() {
      if (count > MOST_TOLD) tell(last, `and ${count - MOST_TOLD} more records that can't be read, up to this line`);
    },
  };
}
