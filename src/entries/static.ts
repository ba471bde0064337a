/**
 * The core of the library in one file that loads nothing more: for service workers, which have no `import()`, and for programs that are built
 * into a single file.
 */
export * from '../api/exports.js';
