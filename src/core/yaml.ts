// The package is CommonJS. A bundle that is split into files gives a lazy `import("yaml")` nothing but its default export; what is
// imported here by name is there in every form of the program. Import this module lazily: it takes time to load.
export { isAlias, isMap, isPair, isScalar, isSeq, parseDocument, Parser, visit } from "yaml";
