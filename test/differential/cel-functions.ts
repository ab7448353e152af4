import { PRINTABLE } from '../../operator/compile/decision.ts';

/**
 * The CEL functions that the expressions of rules may call on strings, by name. Each value is an expression. The
 * variables `s` and `t` are strings. The variables `from` and `to` are a range of the code points of `s`. The engines'
 * results were never compared for a function that is not in this list. If a rule calls the function,
 * test/rules/functions.test.ts fails.
 */
export const CEL_FUNCTIONS: Readonly<Record<string, string>> = {
  size: 's.size()',
  upperAscii: 's.upperAscii()',
  lowerAscii: 's.lowerAscii()',
  startsWith: 's.startsWith(t)',
  endsWith: 's.endsWith(t)',
  contains: 's.contains(t)',
  indexOf: 's.indexOf(t)',
  substring: 's.substring(from)',
  substringTo: 's.substring(from, to)',
  split: 's.split(t).join("|")',
  splitSize: 's.split(t).size()',
  join: '[s, t].join(t)',
  equal: 's == t',
  in: 's in [t]',
  plus: 's + t',
  matches: 's.matches("^[A-Za-z_]+$")',
  replace: 's.replace(t, "$&|")',
  findAll: `s.findAll(${JSON.stringify(PRINTABLE)}).join("|")`,
  matchesPrintable: 's.matches("^[ -~]*$")',
};
