/** Whether a file is taken for a picture: by its type, or else by its name. */
export const isPicture = ({ type, name }: File): boolean =>
  /^image\//.test(type) || /\.(png|jpe?g|webp|gif|bmp|avif|svg)$/i.test(name);
