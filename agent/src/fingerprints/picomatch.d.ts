// In: the part of picomatch 4 that is used here. Out: its types, which the package does not ship.
// Never: holds code.

declare module 'picomatch' {
  const picomatch: {
    makeRe(pattern: string, options: { readonly dot: boolean }): RegExp;
  };
  export = picomatch;
}
