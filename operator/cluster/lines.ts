/**
 * Splits what arrives at line ends; a line may come in many parts, and one that the end cuts off is not handed out.
 *
 * A generator over text would decode twice what is cut inside a character; bytes are decoded once, as whole lines.
 */
export async function* lines(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let begun: Buffer[] = [];
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', start)) {
      if (begun.length === 0) yield chunk.toString('utf8', start, end);
      else yield Buffer.concat([...begun, chunk.subarray(start, end)]).toString();
      begun = [];
      start = end + 1;
    }
    if (start < chunk.length) begun.push(chunk.subarray(start));
  }
}
