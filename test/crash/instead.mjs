/** Module hooks (`module.register`): another file is loaded in the place of a program. */
let program = { url: '', instead: '' };

export function initialize(data) {
  program = data;
}

export function resolve(specifier, context, next) {
  return next(specifier === program.url ? program.instead : specifier, context);
}
