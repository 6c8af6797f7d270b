//! vigie
fn main(){}
