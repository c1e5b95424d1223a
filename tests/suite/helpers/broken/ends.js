// A worker that ends without serving.
