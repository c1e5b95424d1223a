import js from '@eslint/js';
import globals from 'globals';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      'build/',
      'dist/',
      'include/',
      'lib/',
      '**/node_modules/',
      'web/layout.gen.ts',
      // No JavaScript on purpose.
      'tests/suite/helpers/broken/',
    ],
  },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // An argument that is there for its place: `_scope`.
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'none' }],
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
  {
    // The same files run in pages, in workers and in Node.
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: {
        ...globals['shared-node-browser'],
        ...globals.browser,
        ...globals.worker,
        ...globals.node,
      },
    },
  },
  {
    // What is sent to workers and back there has holes.
    files: ['tests/unit/**'],
    rules: { 'no-sparse-arrays': 'off' },
  },
  {
    files: ['web/**/*.{ts,mts}'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: './web/tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // A task may throw anything, and it is passed on as it is.
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      // Off: noUncheckedIndexedAccess asks where the line before has the answer.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Off: callers in JavaScript pass what the types forbid, and engines lack
      // what the types promise.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // Off: a type that the caller names, as in `open<Message>(data)`.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    },
  },
);
