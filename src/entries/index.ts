export * from '../api/exports.js';
