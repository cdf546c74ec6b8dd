//! A macro for serializers that treat all lists alike, and all structs.

/// Implements serde's traits for lists and structs by the type's `element`, `field` and `end`.
#[doc(hidden)]
#[macro_export]
macro_rules! serialize_compounds {
    ($type:ty, $error:ty) => {
        $crate::serialize_compounds!($type, $error, (value: &T) => element(value):
            SerializeSeq::serialize_element, SerializeTuple::serialize_element,
            SerializeTupleStruct::serialize_field, SerializeTupleVariant::serialize_field);
        $crate::serialize_compounds!($type, $error, (name: &'static str, value: &T) => field(name, value):
            SerializeStruct::serialize_field, SerializeStructVariant::serialize_field);
    };
    ($type:ty, $error:ty, $params:tt => $call:ident $args:tt: $($kind:ident::$method:ident),*) => {
        $($crate::serialize_compounds!(@ $type, $error, $params, $call, $args, $kind, $method);)*
    };
    (@ $type:ty, $error:ty, ($($params:tt)*), $call:ident, $args:tt, $kind:ident, $method:ident) => {
        impl ::serde::ser::$kind for $type {
            type Ok = ();
            type Error = $error;

            fn $method<T: ::serde::Serialize + ?Sized>(&mut self, $($params)*) -> Result<(), $error> {
                self.$call $args
            }

            fn end(self) -> Result<(), $error> {
                self.end()
            }
        }
    };
}
