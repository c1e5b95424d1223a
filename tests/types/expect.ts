/** Compiles if the value is of this type. */
export declare function expectType<T>(value: T): void;
