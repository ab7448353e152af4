/**
 * For `node --import`: removes the fields in UNKNOWN_POD_FIELDS, separated by commas, from the table of pod fields. The
 * program then knows as much as a release that is older than these fields.
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
