declare module "asl-validator" {
  interface Found {
    readonly "Error code": string;
    readonly Message?: string;
  }
  const validate: (definition: object) => {
    readonly isValid: boolean;
    readonly errors: readonly Found[];
    readonly errorsText: (separator?: string) => string;
  };
  export default validate;
}
