//! How an order is carried out.
