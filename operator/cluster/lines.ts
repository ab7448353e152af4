/**
 * Splits incoming bytes at line ends. A line may arrive in many parts. An incomplete last line is dropped.
 *
 * The function decodes whole lines. A character may begin in one part and end in the next part. Decoding each part
 * separately would break this character.
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
