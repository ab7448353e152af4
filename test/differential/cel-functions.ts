import { PRINTABLE } from '../../operator/compile/decision.ts';

/**
 * The functions of CEL that the rules' texts may call on strings, by name. Each value is an expression. The variables
 * `s` and `t` are strings. The variables `from` and `to` are a range of the code points of `s`. If a rule calls another
 * CEL function, test/rules/functions.test.ts fails, because the engines' results for that function were never compared.
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
