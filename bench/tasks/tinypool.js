// piscina takes the same form.
export default ({ a, b }) => a + b;
