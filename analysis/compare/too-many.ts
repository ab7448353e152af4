/** Thrown if there are more values than a comparison can examine. */
export class TooMany extends Error {}
