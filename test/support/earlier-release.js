/**
 * A module for `node --import`. The module removes the fields in UNKNOWN_POD_FIELDS from the table of pod fields. The
 * fields in UNKNOWN_POD_FIELDS are separated by commas. The program knows only the remaining fields, like an older
 * release.
 */
import { registerHooks } from 'node:module';

const fields = (process.env.UNKNOWN_POD_FIELDS ?? '').split(',');

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith('/operator/standards/pod-fields.ts')) return loaded;
    const text = String(loaded.source);
    return {
      ...loaded,
      source: fields.reduce((left, field) => left.replaceAll(new RegExp(`\\b${field}\\b`, 'g'), ''), text),
    };
  },
});
