// In: nothing.
// Out: the version of all programs of one checkout; test/repo holds it against package.json.
// Never: differs between programs.

export const VERSION = '0.1.0';
