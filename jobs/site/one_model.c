/* A program that uses libradmix: one mixed model, feature ~ gene + (1 | patient).
 * mpicc one_model.c $(pkg-config --cflags --libs radmix) -o one_model && ./one_model */
#include <math.h>
#include <stdio.h>

#include <radmix/association.h>
#include <radmix/error.h>

int main(void) {
  const double feature[] = {4.1, 4.6, 4.2, 6.0, 5.1, 7.2, 7.9, 7.0, 7.1, 5.5, 8.8, 9.1, 8.2};
  const double gene[] = {0.2, 0.2, 0.2, 1.1, 1.1, 2.0, 2.0, 2.0, 2.0, 2.4, 3.3, 3.3, 3.3};
  const int patient[] = {0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 4, 4, 4};
  rx_mixed_model model;

  if (rx_mixed_model_fit(13, feature, gene, patient, 5, &model)) {
    fprintf(stderr, "one_model: %s\n", rx_error_message());
    return 1;
  }
  printf("beta %.4f se %.4f t %.4f df %g p %.5f\n", model.beta, model.se, model.t, model.df,
         pow(10, model.log10_p));
  return 0;
}
