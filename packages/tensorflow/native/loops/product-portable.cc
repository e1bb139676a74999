// Products for any processor.
#include "product-headers.h"

#define LATENT_EIGEN latent_eigen_portable
#define LATENT_PRODUCTS portable_products
#include "product.h"
