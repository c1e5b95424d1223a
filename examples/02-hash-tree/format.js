/**
 * Lines as sha256sum writes them. Paths are strings of bytes here ('latin1'),
 * since a file's name need not be valid UTF-8.
 */
import { getSystemErrorMap } from 'node:util';

const escapes = { '\\': '\\\\', '\n': '\\n', '\r': '\\r' };

/** A line of output; with a backslash in front if the name has an escape. */
export function line(digest, path) {
  if (!/[\\\n\r]/.test(path)) return `${digest}  ${path}\n`;
  return `\\${digest}  ${path.replace(/[\\\n\r]/g, (c) => escapes[c])}\n`;
}

// As the C library words them; what is not here is worded by Node.
const texts = {
  EACCES: 'Permission denied',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  EMFILE: 'Too many open files',
  ENAMETOOLONG: 'File name too long',
  ENFILE: 'Too many open files in system',
  ENODEV: 'No such device',
  ENOENT: 'No such file or directory',
  ENOTDIR: 'Not a directory',
  ENXIO: 'No such device or address',
  EPERM: 'Operation not permitted',
  ESTALE: 'Stale file handle',
};

/** What went wrong, in words, from an error that a function of node:fs threw. */
export function reason(error) {
  if (error.code in texts) return texts[error.code];
  const known = getSystemErrorMap().get(error.errno);
  return known ? known[1][0].toUpperCase() + known[1].slice(1) : error.message;
}

const named = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\v': '\\v', '\f': '\\f', '\b': '\\b' };
const escape = (c) => named[c] ?? `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`;

// A character beyond ASCII, in UTF-8.
const wide = '[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}';
const plain = new RegExp(`^(?![#~])(?:[\\w%+,./@\\]{}#~-]|${wide})+$`);
const inDoubleQuotes = /^[ #%&'-[\]-_a-~]*$/;
// What can be shown, or else what a terminal had better not get.
const parts = new RegExp(`((?:[ -~]|${wide})+)|(?:(?!${wide})[^ -~])+`, 'g');

/** A name in a message: quoted for a shell if it is not plain. */
export function quote(path) {
  if (plain.test(path)) return path;
  if (path.includes("'") && inDoubleQuotes.test(path)) return `"${path}"`;
  const quoted = path.replace(parts, (part, shown) =>
    shown ? `'${part.replaceAll("'", "'\\''")}'` : `$'${part.replace(/[^]/g, escape)}'`,
  );
  return quoted.startsWith("'") ? quoted : `''${quoted}`;
}
